import { onScopeDispose, ref, type Ref, type ShallowRef } from 'vue'

/**
 * A camera sends several frames a second, also in the dark. Longer than it takes until one knows of the own line: whose
 * fault it is not is not to be named.
 */
const STILL_MS = 8000
const GLANCE_MS = 1000

/** Whether a picture has stood still, or not begun, for as long as it was `awaited`. */
export function useStill(
  element: Readonly<ShallowRef<HTMLVideoElement | null>>,
  awaited: () => boolean,
): Readonly<Ref<boolean>> {
  const still = ref(false)
  let frames = 0
  let movedAt = performance.now()

  function look(): void {
    const now = performance.now()
    const count = element.value?.getVideoPlaybackQuality().totalVideoFrames ?? 0
    if (count !== frames || !awaited() || document.hidden) {
      frames = count
      movedAt = now
    }
    still.value = now - movedAt >= STILL_MS
  }
  const timer = setInterval(look, GLANCE_MS)
  onScopeDispose(() => clearInterval(timer))
  return still
}
