import { onScopeDispose, ref, shallowRef, type Ref, type ShallowRef } from 'vue'

import { readStored, writeStored } from '@/stores/preferences'

import { capture, EnvironmentError, type Captured, type Capturer } from './capture'
import { mediaProblem, type MediaProblem } from './problems'

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
  /** Takes a track that was opened elsewhere, together with another. */
  take: (track: MediaStreamTrack) => void
  fail: (error: unknown) => void
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

  function take(next: MediaStreamTrack): void {
    track.value?.stop()
    track.value = next
    on.value = true
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
    track.value?.stop()
    track.value = null
    on.value = false
  }

  function fail(error: unknown): void {
    close()
    problem.value = error instanceof EnvironmentError ? error.problem : mediaProblem(error)
  }

  async function open(): Promise<MediaStreamTrack | null> {
    opening.value = true
    try {
      const captured: Captured = await capture({ [kind]: deviceId.value })
      if (captured[kind]) take(captured[kind])
    } catch (error) {
      fail(error)
    } finally {
      opening.value = false
    }
    return track.value
  }

  async function choose(next: string): Promise<MediaStreamTrack | null> {
    deviceId.value = next
    writeStored(storageKey, next)
    if (!on.value) return null
    track.value?.stop() // some phones cannot open a second camera while the first is open
    return open()
  }

  onScopeDispose(close)
  return { kind, on, track, problem, deviceId, opening, open, close, take, fail, choose }
}
