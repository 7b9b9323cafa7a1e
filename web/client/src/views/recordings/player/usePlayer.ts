import { computed, onBeforeUnmount, ref, type ComputedRef, type Ref } from 'vue'

import { readStored, writeStored } from '@/stores/preferences'

const SPEED_KEY = 'huitang.player.speed'
const VOLUME_KEY = 'huitang.player.volume'
/** A line that has not delivered for so long is called slow. */
const SLOW_MS = 6000

export interface Player {
  at: Ref<number>
  playing: Ref<boolean>
  waiting: Ref<boolean>
  slow: Ref<boolean>
  muted: Ref<boolean>
  volume: Ref<number>
  speed: Ref<number>
  buffered: Ref<number>
  canFloat: ComputedRef<boolean>
  toggle: () => void
  play: () => void
  pause: () => void
  seek: (to: number) => void
  setSpeed: (speed: number) => void
  setVolume: (volume: number) => void
  mute: () => void
  float: () => void
  /** Read the element's state; for its events. */
  read: () => void
  loaded: () => void
}

const storedNumber = (key: string, otherwise: number, least: number, most: number): number => {
  const value = Number(readStored(key) ?? NaN)
  return value >= least && value <= most ? value : otherwise
}

/** The state of a media element and what people do to it; speed and volume are remembered by this browser. */
export function usePlayer(element: () => HTMLVideoElement | null): Player {
  const at = ref(0)
  const playing = ref(false)
  const waiting = ref(false)
  const slow = ref(false)
  const muted = ref(false)
  const volume = ref(storedNumber(VOLUME_KEY, 1, 0, 1))
  const speed = ref(storedNumber(SPEED_KEY, 1, 0.5, 2))
  const buffered = ref(0)
  let timer: ReturnType<typeof setTimeout> | undefined

  function read(): void {
    const video = element()
    if (!video) return
    // A film that was taken away is at its beginning; where the viewer is stays to be seen.
    if (video.readyState > HTMLMediaElement.HAVE_NOTHING) at.value = video.currentTime
    playing.value = !video.paused && !video.ended
    muted.value = video.muted
    waiting.value = playing.value && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA
    for (let part = 0; part < video.buffered.length; part++) {
      if (video.buffered.start(part) <= video.currentTime + 1) buffered.value = video.buffered.end(part)
    }
    watchLine()
  }

  function watchLine(): void {
    if (waiting.value) {
      timer ??= setTimeout(() => (slow.value = true), SLOW_MS)
      return
    }
    clearTimeout(timer)
    timer = undefined
    slow.value = false
  }

  function play(): void {
    // A browser that wants a touch first says so by refusing; the button is there.
    void element()
      ?.play()
      .catch(() => undefined)
  }

  function setSpeed(next: number): void {
    speed.value = next
    writeStored(SPEED_KEY, String(next))
    const video = element()
    if (video) video.playbackRate = next
  }

  function setVolume(next: number): void {
    volume.value = Math.min(1, Math.max(0, next))
    writeStored(VOLUME_KEY, String(volume.value))
    const video = element()
    if (!video) return
    video.volume = volume.value
    video.muted = volume.value === 0
    read()
  }

  onBeforeUnmount(() => clearTimeout(timer))

  return {
    at,
    playing,
    waiting,
    slow,
    muted,
    volume,
    speed,
    buffered,
    canFloat: computed(() => document.pictureInPictureEnabled),
    read,
    play,
    setSpeed,
    setVolume,
    pause: () => element()?.pause(),
    toggle() {
      if (element()?.paused) play()
      else element()?.pause()
    },
    seek(to) {
      const video = element()
      if (!video) return
      video.currentTime = Math.max(0, Math.min(to, video.duration || to))
      at.value = video.currentTime
      read()
    },
    mute() {
      const video = element()
      if (video) video.muted = !video.muted
      read()
    },
    float() {
      const video = element()
      if (document.pictureInPictureElement) void document.exitPictureInPicture()
      else void video?.requestPictureInPicture().catch(() => undefined)
    },
    loaded() {
      const video = element()
      if (!video) return
      video.playbackRate = speed.value
      video.volume = volume.value
      read()
    },
  }
}
