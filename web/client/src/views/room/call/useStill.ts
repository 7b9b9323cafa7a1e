import { ref, type Ref, type ShallowRef } from 'vue'

import { useMotion } from './useMotion'

/**
 * A camera sends several frames a second, also in the dark. Longer than it takes until one knows of the own line, which is some
 * eight seconds after it was cut: whose fault it is not is not to be named.
 */
const STILL_MS = 12_000

/** Whether a picture has stood still, or not begun, for as long as it was `awaited`. */
export function useStill(
  element: Readonly<ShallowRef<HTMLVideoElement | null>>,
  awaited: () => boolean,
): Readonly<Ref<boolean>> {
  const still = ref(false)
  let movedAt = performance.now()

  useMotion(element, (moved, now) => {
    if (moved || !awaited() || document.hidden) movedAt = now
    still.value = now - movedAt >= STILL_MS
  })
  return still
}
