import { onScopeDispose, ref, watch, type Ref } from 'vue'

/** A screen reader that speaks more often than this leaves no room to listen to the meeting. */
export const QUIET_MS = 15_000

/** A text for a live region: follows `text`, but changes at most once in QUIET_MS, then to what is true by then. */
export function useQuietNews(text: Ref<string>): Ref<string> {
  const said = ref('') // what is there when one opens the panel is read anyway
  let quietUntil = Date.now() + QUIET_MS
  let timer: ReturnType<typeof setTimeout> | undefined

  function say(): void {
    timer = undefined
    if (said.value === text.value) return
    said.value = text.value
    quietUntil = Date.now() + QUIET_MS
  }
  watch(text, () => {
    timer ??= setTimeout(say, Math.max(0, quietUntil - Date.now()))
  })
  onScopeDispose(() => clearTimeout(timer))
  return said
}
