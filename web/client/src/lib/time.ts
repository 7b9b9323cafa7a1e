/** Times come as UTC and are shown in a zone: the viewer's own, with the meeting's beside it where they differ. */

export const viewerZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone

const formats = new Map<string, Intl.DateTimeFormat>()

function format(locale: string, zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([locale, zone, options])
  let known = formats.get(key)
  if (!known) {
    known = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone })
    formats.set(key, known)
  }
  return known
}

export const clockTime = (at: Date, locale: string, zone: string): string =>
  format(locale, zone, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at)

export const dayText = (at: Date, locale: string, zone: string): string =>
  format(locale, zone, { month: 'long', day: 'numeric', weekday: 'short' }).format(at)

export const dateText = (at: Date, locale: string, zone: string): string =>
  format(locale, zone, { year: 'numeric', month: 'long', day: 'numeric' }).format(at)

/** `2026-11-23` as it is in the zone: equal for times of the same day there. */
export function dayKey(at: Date, zone: string): string {
  return format('en-CA', zone, { year: 'numeric', month: '2-digit', day: '2-digit' }).format(at)
}

/** What the clock of the zone shows beside UTC at that instant, in minutes. */
export function offsetMinutes(at: Date, zone: string): number {
  const parts = format('en-US', zone, {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    hourCycle: 'h23',
  }).formatToParts(at)
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value)
  const shown = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  )
  return Math.round((shown - Math.floor(at.getTime() / 1000) * 1000) / 60_000)
}

export const sameClock = (at: Date, zone: string, other: string): boolean =>
  offsetMinutes(at, zone) === offsetMinutes(at, other)

/** The instant at which the zone's calendar and clock show `2026-11-23` and `19:30`. */
export function instantIn(zone: string, day: string, clock: string): Date {
  const naive = new Date(`${day}T${clock}:00Z`).getTime()
  const guess = naive - offsetMinutes(new Date(naive), zone) * 60_000
  return new Date(naive - offsetMinutes(new Date(guess), zone) * 60_000) // once more, across a change of the clocks
}

/** Seconds as they are read out: `1小时2分钟3秒钟`, `2 minutes 3 seconds`. */
export function spokenDuration(seconds: number, locale: string): string {
  const whole = Math.max(0, Math.floor(seconds))
  const parts = [
    [Math.floor(whole / 3600), 'hour'],
    [Math.floor(whole / 60) % 60, 'minute'],
    [whole % 60, 'second'],
  ] as const
  const spoken = parts.filter(([count, unit]) => count || (unit === 'second' && whole === 0))
  return spoken
    .map(([count, unit]) =>
      new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(count),
    )
    .join(locale.startsWith('zh') ? '' : ' ')
}

/** Seconds as `1:02:03` or `2:03`. */
export function clockDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number): string => String(value).padStart(2, '0')
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}
