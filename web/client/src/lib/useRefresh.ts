import { onScopeDispose } from 'vue'

/** Asks again every `pause` ms, as long as the component lives, the page is looked at and `wanted` says so. */
export function useRefresh(ask: () => unknown, pause: number, wanted = (): boolean => true): void {
  const timer = setInterval(() => {
    if (!document.hidden && wanted()) void ask()
  }, pause)
  onScopeDispose(() => clearInterval(timer))
}
