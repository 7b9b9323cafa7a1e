/** How long a visible page's track may be silent: after a call, and when a page is shown, systems give it back a moment later. */
export const INTERRUPTED_MS = 3000

interface Interrupted {
  /** The system keeps it silent; once, until it is back. `away`: the page was hidden meanwhile, as by a telephone call or another app. */
  onSilent: (away: boolean) => void
  /** The system has given it back. */
  onBack: () => void
}

/**
 * Follows what the system does to a track that goes on: `muted` of a MediaStreamTrack is not the page's doing but that of a
 * telephone call, Siri, a switch at the headset or the browser's own button. The answer ends it.
 */
export function followInterruptions(track: MediaStreamTrack, { onSilent, onBack }: Interrupted): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let away = false
  let told = false

  function tell(): void {
    told = true
    onSilent(away)
  }

  function look(): void {
    clearTimeout(timer)
    if (!track.muted) {
      away = told = false
      onBack()
    } else if (document.visibilityState === 'hidden') away = true
    else if (!told) timer = setTimeout(tell, INTERRUPTED_MS)
  }

  track.addEventListener('mute', look)
  track.addEventListener('unmute', look)
  document.addEventListener('visibilitychange', look)
  look()
  return () => {
    clearTimeout(timer)
    track.removeEventListener('mute', look)
    track.removeEventListener('unmute', look)
    document.removeEventListener('visibilitychange', look)
  }
}
