import { computed, onScopeDispose, ref, shallowRef, type Ref, type ShallowRef } from 'vue'

import { readStored, writeStored } from '@/stores/preferences'

import { capture, EnvironmentError, type Capturer } from './capture'
import { followInterruptions } from './interruptions'
import { mediaProblem, type MediaProblem } from './problems'

/** One time that a device is asked for. Until the browser answers, minutes may pass and much may change. */
export interface Attempt {
  /** Whether what comes is still wanted: nothing was closed, left or asked for anew since. */
  current: () => boolean
  /** Takes the track if it is still wanted, and else closes it: its light would stay on with nobody to put it out. */
  take: (track: MediaStreamTrack | undefined) => void
}

export interface Capture {
  kind: Capturer
  /** Whether the person wants it on and the system lets it be; `track` is there once it is. */
  on: Ref<boolean>
  track: ShallowRef<MediaStreamTrack | null>
  problem: Ref<MediaProblem | null>
  deviceId: Ref<string>
  opening: Ref<boolean>
  /** Turns it on, anew where there is one: the system may keep that silent. */
  open: () => Promise<MediaStreamTrack | null>
  close: () => void
  /** For a track that is asked for elsewhere, together with another. */
  begin: () => Attempt
  choose: (deviceId: string) => Promise<MediaStreamTrack | null>
}

/** What happened to a device by itself: it is gone, or there and kept silent by the system. */
export type Mishap = 'lost' | 'paused'

/** One camera or microphone: opened, closed, changed for another, lost, kept silent by the system. */
export function useCapture(kind: Capturer, onMishap: (mishap: Mishap) => void): Capture {
  const storageKey = `huitang.${kind}`
  const wanted = ref(false)
  const paused = ref(false)
  const on = computed({
    get: () => wanted.value && !paused.value,
    set: (value) => void (wanted.value = value),
  })
  const track = shallowRef<MediaStreamTrack | null>(null)
  const problem = ref<MediaProblem | null>(null)
  const deviceId = ref(readStored(storageKey) ?? '')
  const opening = ref(false)
  let attempts = 0
  let unfollow = (): void => undefined

  function begin(): Attempt {
    const number = ++attempts
    const changing = track.value !== null // who is muted before or while he changes devices stays muted
    const current = (): boolean => number === attempts
    return {
      current,
      take(next): void {
        if (!next) return
        if (current()) take(next, wanted.value || !changing)
        else next.stop()
      },
    }
  }

  function take(next: MediaStreamTrack, want: boolean): void {
    release()
    track.value = next
    wanted.value = want
    problem.value = null
    deviceId.value = next.getSettings().deviceId ?? deviceId.value
    next.addEventListener('ended', () => {
      if (track.value !== next) return
      close()
      problem.value = 'lost'
      onMishap('lost')
    })
    unfollow = followInterruptions(next, {
      onSilent: (away) => void silent(away),
      onBack: () => void (paused.value = false),
    })
  }

  /**
   * Some phones keep it silent for good after a call: a new track of the same device is not. But where the page was there
   * all the time, the person may have silenced it in the browser or at the headset, and that is not undone unasked.
   */
  async function silent(away: boolean): Promise<void> {
    paused.value = true
    if (!wanted.value) return
    if (away && ((await renew()) || !problem.value)) return
    onMishap('paused')
  }

  function release(): void {
    unfollow()
    paused.value = false
    track.value?.stop()
  }

  function close(): void {
    attempts += 1
    release()
    track.value = null
    wanted.value = false
  }

  /** Turned on before, it is on afterwards; silenced before, it is silenced. */
  async function renew(): Promise<MediaStreamTrack | null> {
    unfollow()
    track.value?.stop() // some phones cannot open a second camera while the first is open
    const attempt = begin()
    opening.value = true
    try {
      attempt.take((await capture({ [kind]: deviceId.value }))[kind])
    } catch (error) {
      if (attempt.current()) {
        close()
        problem.value = error instanceof EnvironmentError ? error.problem : mediaProblem(error)
      }
    } finally {
      opening.value = false
    }
    return track.value
  }

  function open(): Promise<MediaStreamTrack | null> {
    if (track.value) wanted.value = true
    return renew()
  }

  async function choose(next: string): Promise<MediaStreamTrack | null> {
    deviceId.value = next
    writeStored(storageKey, next)
    // Who could not open the first one wants this; one that was pulled out may have been muted.
    const awaited = problem.value !== null && problem.value !== 'lost'
    if (!track.value && !awaited) return null
    return renew()
  }

  onScopeDispose(close)
  return { kind, on, track, problem, deviceId, opening, open, close, begin, choose }
}
