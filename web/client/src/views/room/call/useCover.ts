import { ref, type Ref, type ShallowRef } from 'vue'

import { Cover } from './cover'
import { useMotion } from './useMotion'

/** Whether a portrait is to stand in for this picture, of which the server says whether it is `starved`. */
export function useCover(
  element: Readonly<ShallowRef<HTMLVideoElement | null>>,
  starved: () => boolean,
): Readonly<Ref<boolean>> {
  const cover = new Cover()
  const covered = ref(false)
  useMotion(element, (moved, now) => {
    covered.value = document.hidden ? cover.rest() : cover.look({ starved: starved(), moved }, now)
  })
  return covered
}
