import { onScopeDispose, ref, type Ref, type ShallowRef } from 'vue'

/**
 * A camera sends several frames a second, also in the dark. Longer than it takes until one knows of the own line: whose
 * fault it is not is not to be named.
 */
export const STILL_MS = 8000
const GLANCE_MS = 1000

/** Whether a picture that has moved stands still. What nobody can count or see does not. */
export function useStill(element: Readonly<ShallowRef<HTMLVideoElement | null>>): Readonly<Ref<boolean>> {
  const still = ref(false)
  let frames = 0
  let movedAt = 0

  function look(): void {
    const now = performance.now()
    const count = element.value?.getVideoPlaybackQuality().totalVideoFrames ?? 0
    if (count !== frames || count === 0 || document.hidden) {
      frames = count
      movedAt = now
    }
    still.value = now - movedAt >= STILL_MS
  }
  const timer = setInterval(look, GLANCE_MS)
  onScopeDispose(() => clearInterval(timer))
  return still
}
