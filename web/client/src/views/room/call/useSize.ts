import { onScopeDispose, shallowRef, watch, type ShallowRef } from 'vue'

export interface Size {
  width: number
  height: number
}

/** How large an element is now. */
export function useSize(element: Readonly<ShallowRef<HTMLElement | null>>): ShallowRef<Size> {
  const size = shallowRef<Size>({ width: 0, height: 0 })
  const observer = new ResizeObserver((entries) => {
    const box = entries.at(-1)?.contentRect
    if (box) size.value = { width: box.width, height: box.height }
  })
  watch(
    element,
    (next, before) => {
      if (before) observer.unobserve(before)
      if (next) observer.observe(next)
    },
    { immediate: true, flush: 'post' },
  )
  onScopeDispose(() => observer.disconnect())
  return size
}
