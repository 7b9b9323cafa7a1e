/** Calls when a page that was hidden or frozen is shown again, and when the network is back; the answer ends it. */
export function onWake(wake: (networkBack: boolean) => void): () => void {
  const shown = (): void => {
    if (document.visibilityState === 'visible') wake(false)
  }
  const back = (event: PageTransitionEvent): void => {
    if (event.persisted) wake(false) // kept whole while another page was there
  }
  const online = (): void => wake(true)
  document.addEventListener('visibilitychange', shown)
  addEventListener('pageshow', back)
  addEventListener('online', online)
  return () => {
    document.removeEventListener('visibilitychange', shown)
    removeEventListener('pageshow', back)
    removeEventListener('online', online)
  }
}
