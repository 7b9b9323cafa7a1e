import { useI18n } from 'vue-i18n'

import { clockTime, dateText, dayKey, dayText, sameClock, viewerZone } from './time'

interface TimeTexts {
  /** `今天 19:30–21:00`, or with the day. */
  span: (startsAt: string, endsAt: string) => string
  /** The same in the meeting's zone, or nothing where its clocks show what the viewer's do. */
  spanThere: (startsAt: string, endsAt: string, zone: string) => string
  moment: (at: string) => string
  clock: (at: string) => string
  date: (at: string) => string
  duration: (seconds: number) => string
}

/** Times in words, in the language in use and the viewer's zone. */
export function useTime(): TimeTexts {
  const { t, locale } = useI18n()
  const here = viewerZone()

  function day(at: Date): string {
    const key = dayKey(at, here)
    const inDays = (days: number): string => dayKey(new Date(Date.now() + days * 86_400_000), here)
    if (key === inDays(0)) return t('time.today')
    if (key === inDays(1)) return t('time.tomorrow')
    if (key === inDays(-1)) return t('time.yesterday')
    if (key.slice(0, 4) !== inDays(0).slice(0, 4)) return dateText(at, locale.value, here)
    return dayText(at, locale.value, here)
  }

  const clock = (at: string): string => clockTime(new Date(at), locale.value, here)

  return {
    clock,
    date: (at) => dateText(new Date(at), locale.value, here),
    moment: (at) => `${day(new Date(at))} ${clock(at)}`,
    span: (startsAt, endsAt) => `${day(new Date(startsAt))} ${clock(startsAt)}–${clock(endsAt)}`,
    spanThere(startsAt, endsAt, zone) {
      const start = new Date(startsAt)
      if (sameClock(start, here, zone)) return ''
      const times = `${dayText(start, locale.value, zone)} ${clockTime(start, locale.value, zone)}–${clockTime(new Date(endsAt), locale.value, zone)}`
      return t('time.there', { times, zone: zoneName(zone) })
    },
    duration(seconds) {
      const minutes = Math.round(seconds / 60)
      if (seconds < 60) return t('time.seconds', { count: Math.round(seconds) })
      if (minutes < 60) return t('time.minutes', { count: minutes })
      return t('time.hours', { hours: Math.floor(minutes / 60), minutes: minutes % 60 })
    },
  }

  function zoneName(zone: string): string {
    const parts = new Intl.DateTimeFormat(locale.value, {
      timeZone: zone,
      timeZoneName: 'longGeneric',
    }).formatToParts()
    return parts.find((part) => part.type === 'timeZoneName')?.value ?? zone
  }
}
