/** How somebody wants to have a film: in the size that the line bears, in one of its sizes, or only its sound. */
export type Quality = 'auto' | 'sound' | number

/** One size of a stream: its height in pixels and the playlist that has it. */
export interface Variant {
  height: number
  playlist: string
}

/** The sizes that a master playlist names (RFC 8216, section 4.3.4.2), the largest first; what it does not say right is left out. */
export function variantsOf(master: string): Variant[] {
  const lines = master.split(/\r?\n/).map((line) => line.trim())
  const variants = lines.flatMap((line, index): Variant[] => {
    const height = /^#EXT-X-STREAM-INF:(?:.*,)?RESOLUTION=\d+x(\d+)/.exec(line)?.[1]
    const playlist = lines[index + 1] ?? ''
    return height && /^[\w.-]+$/.test(playlist) ? [{ height: Number(height), playlist }] : []
  })
  return variants.sort((a, b) => b.height - a.height)
}

/** How this browser gets at the sizes: by our script, by itself, or not at all. */
export type Way = 'script' | 'native' | 'file'

/**
 * Where a script can feed the player, sizes change without a gap; iPhones play streams by themselves. What other browsers
 * say of native streams is not to be relied on, so it counts only where there is nothing else.
 */
export function wayOf(can: { feed: boolean; stream: boolean }, streamed: boolean): Way {
  if (!streamed) return 'file'
  if (can.feed) return 'script'
  return can.stream ? 'native' : 'file'
}

/** A name of the size that says something to people who do not count lines. */
export function sizeName(height: number): 'high' | 'middle' | 'low' {
  if (height >= 700) return 'high'
  return height >= 400 ? 'middle' : 'low'
}
