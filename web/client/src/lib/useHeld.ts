import { onScopeDispose, shallowRef, watch, type ShallowRef } from 'vue'

/** Follows `value`, but keeps the last one for so long after there is none: what comes and goes does not flicker. */
export function useHeld<Value>(value: () => Value | null, milliseconds: number): ShallowRef<Value | null> {
  const held = shallowRef<Value | null>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  watch(
    value,
    (now) => {
      clearTimeout(timer)
      if (now !== null) held.value = now
      else timer = setTimeout(() => (held.value = null), milliseconds)
    },
    { immediate: true },
  )
  onScopeDispose(() => clearTimeout(timer))
  return held
}
