import { onScopeDispose, ref, watch, type Ref } from 'vue'

interface Lasting {
  /** It has been so for longer than `milliseconds`. */
  long: Readonly<Ref<boolean>>
  /** Counts anew, as if it had just begun. */
  anew: () => void
}

/** Whether something that should pass by itself has not. */
export function useLasting(is: () => boolean, milliseconds: number): Lasting {
  const long = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined

  function anew(): void {
    clearTimeout(timer)
    long.value = false
    if (is()) timer = setTimeout(() => (long.value = true), milliseconds)
  }
  watch(is, anew, { immediate: true })
  onScopeDispose(() => clearTimeout(timer))
  return { long, anew }
}
