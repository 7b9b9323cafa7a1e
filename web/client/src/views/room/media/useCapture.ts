import { onScopeDispose, ref, shallowRef, type Ref, type ShallowRef } from 'vue'

import { readStored, writeStored } from '@/stores/preferences'

import { capture, EnvironmentError, type Capturer } from './capture'
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
  /** Whether the person wants it on; `track` is there once it is. */
  on: Ref<boolean>
  track: ShallowRef<MediaStreamTrack | null>
  problem: Ref<MediaProblem | null>
  deviceId: Ref<string>
  opening: Ref<boolean>
  open: () => Promise<MediaStreamTrack | null>
  close: () => void
  /** For a track that is asked for elsewhere, together with another. */
  begin: () => Attempt
  choose: (deviceId: string) => Promise<MediaStreamTrack | null>
}

/** One camera or microphone: opened, closed, changed for another, lost. */
export function useCapture(kind: Capturer, onLost: () => void): Capture {
  const storageKey = `huitang.${kind}`
  const on = ref(false)
  const track = shallowRef<MediaStreamTrack | null>(null)
  const problem = ref<MediaProblem | null>(null)
  const deviceId = ref(readStored(storageKey) ?? '')
  const opening = ref(false)
  let attempts = 0

  function begin(): Attempt {
    const number = ++attempts
    const changing = track.value !== null // who is muted before or while he changes devices stays muted
    const current = (): boolean => number === attempts
    return {
      current,
      take(next): void {
        if (!next) return
        if (current()) take(next, on.value || !changing)
        else next.stop()
      },
    }
  }

  function take(next: MediaStreamTrack, wanted: boolean): void {
    track.value?.stop()
    track.value = next
    on.value = wanted
    problem.value = null
    deviceId.value = next.getSettings().deviceId ?? deviceId.value
    next.addEventListener('ended', () => {
      if (track.value !== next) return
      close()
      problem.value = 'lost'
      onLost()
    })
  }

  function close(): void {
    attempts += 1
    track.value?.stop()
    track.value = null
    on.value = false
  }

  async function open(): Promise<MediaStreamTrack | null> {
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

  async function choose(next: string): Promise<MediaStreamTrack | null> {
    deviceId.value = next
    writeStored(storageKey, next)
    // Who could not open the first one wants this; one that was pulled out may have been muted.
    const awaited = problem.value !== null && problem.value !== 'lost'
    if (!track.value && !awaited) return null
    track.value?.stop() // some phones cannot open a second camera while the first is open
    return open()
  }

  onScopeDispose(close)
  return { kind, on, track, problem, deviceId, opening, open, close, begin, choose }
}
