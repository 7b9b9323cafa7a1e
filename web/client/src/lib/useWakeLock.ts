import { onScopeDispose } from 'vue'

/** Keeps the screen on while it lives; browsers take the lock back when the page is hidden, so it is asked for again. */
export function useWakeLock(): void {
  let lock: WakeLockSentinel | null = null
  let over = false

  const isOver = (): boolean => over

  async function take(): Promise<void> {
    if (over || document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return
    lock = await navigator.wakeLock.request('screen').catch(() => null) // a low battery may refuse
    if (isOver()) void lock?.release()
  }

  const changed = (): void => void take()
  document.addEventListener('visibilitychange', changed)
  void take()
  onScopeDispose(() => {
    over = true
    document.removeEventListener('visibilitychange', changed)
    void lock?.release()
  })
}
