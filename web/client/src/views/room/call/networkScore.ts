import type { Quality } from '@/protocol/rooms/messages'

/** Bars of a line on which something does not fit, however well the rest comes. */
const FAIR = 3

/** The worse direction counts; before the first measurement a living connection counts as good. */
export function scoreOf(quality: Quality | null, connected: boolean): number {
  if (!connected) return 0
  if (!quality) return 5
  const worse = Math.min(quality.up, quality.down)
  return quality.troubles.includes('pictureStarved') ? Math.min(worse, FAIR) : worse
}
