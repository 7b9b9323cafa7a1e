import { onScopeDispose, type ShallowRef } from 'vue'

const GLANCE_MS = 1000

/** Looks every second whether the picture of `element` has moved since the last look. */
export function useMotion(
  element: Readonly<ShallowRef<HTMLVideoElement | null>>,
  look: (moved: boolean, now: number) => void,
): void {
  let frames = 0
  const timer = setInterval(() => {
    const count = element.value?.getVideoPlaybackQuality().totalVideoFrames ?? 0
    look(count !== frames, performance.now())
    frames = count
  }, GLANCE_MS)
  onScopeDispose(() => clearInterval(timer))
}
