import { onScopeDispose, ref, watch, type Ref, type ShallowRef } from 'vue'

import { useRoom } from '../useRoom'

import { layerFor } from './arrange'

/** A page that is hidden for longer than a glance elsewhere needs no pictures. */
const HIDDEN_PATIENCE_MS = 4000

/** People scroll and drag: a smaller picture is asked for only once the tile has kept its size. */
const SMALLER_PATIENCE_MS = 1000

/** Asks for a video while its tile is on the screen, which is answered, in the size of the tile; and no longer. */
export function useWanted(
  element: Readonly<ShallowRef<HTMLElement | null>>,
  producerId: () => string | null,
  first: () => boolean,
): Readonly<Ref<boolean>> {
  const { session } = useRoom()
  const seen = ref(false)
  const layer = ref(0)
  const pageShown = ref(!document.hidden)
  let hiding: ReturnType<typeof setTimeout> | undefined
  let shrinking: ReturnType<typeof setTimeout> | undefined

  function visibilityChanged(): void {
    clearTimeout(hiding)
    if (document.hidden) hiding = setTimeout(() => (pageShown.value = false), HIDDEN_PATIENCE_MS)
    else pageShown.value = true
  }
  document.addEventListener('visibilitychange', visibilityChanged)

  const inView = new IntersectionObserver(
    (entries) => (seen.value = entries.at(-1)?.isIntersecting ?? false),
    {
      rootMargin: '80px',
    },
  )
  const sized = new ResizeObserver((entries) => {
    const width = entries.at(-1)?.contentRect.width ?? 0
    const next = layerFor(width, devicePixelRatio)
    clearTimeout(shrinking)
    if (next >= layer.value) layer.value = next
    else shrinking = setTimeout(() => (layer.value = next), SMALLER_PATIENCE_MS)
  })

  watch(
    element,
    (next, before) => {
      if (before) [inView, sized].forEach((observer) => observer.unobserve(before))
      if (next) [inView, sized].forEach((observer) => observer.observe(next))
    },
    { immediate: true, flush: 'post' },
  )
  watch(
    [producerId, seen, layer, pageShown, first] as const,
    ([id, isSeen, size, shown, isFirst], [before]) => {
      if (before && before !== id) session.want(before, null)
      if (id) session.want(id, isSeen && shown ? { layer: size, first: isFirst } : null)
    },
    { immediate: true },
  )
  onScopeDispose(() => {
    clearTimeout(hiding)
    clearTimeout(shrinking)
    document.removeEventListener('visibilitychange', visibilityChanged)
    inView.disconnect()
    sized.disconnect()
    const id = producerId()
    if (id) session.want(id, null)
  })
  return seen
}
