import type { Tile } from './tiles'

/** Narrower tiles than this show no face one could know; then the grid scrolls instead. */
const LEAST_WIDTH = 150
const WIDEST = 16 / 9
/** Upright phones show upright people; elsewhere a tile this tall still shows a face and both shoulders. */
const TALLEST = { upright: 0.8, wide: 4 / 3 }

export interface Grid {
  columns: number
  /** Of each tile, in pixels. */
  width: number
  height: number
}

/** The columns that make `count` tiles largest in the space given. */
export function bestGrid(width: number, height: number, count: number, gap = 8): Grid {
  const tallest = width < height ? TALLEST.upright : TALLEST.wide
  const most = Math.max(1, Math.min(count, Math.floor((width + gap) / (LEAST_WIDTH + gap))))
  const grids = Array.from({ length: most }, (_, index): Grid => {
    const columns = index + 1
    const rows = Math.ceil(count / columns)
    const tileWidth = (width - gap * (columns - 1)) / columns
    const room = (height - gap * (rows - 1)) / rows
    const tileHeight = Math.min(room, tileWidth / tallest)
    return { columns, width: Math.min(tileWidth, tileHeight * WIDEST), height: tileHeight }
  })
  const best = grids.reduce((a, b) => (b.width * b.height > a.width * a.height ? b : a))
  if (best.width >= Math.min(LEAST_WIDTH, width)) return best
  const column = (width - gap * (most - 1)) / most
  return { columns: most, width: column, height: column / WIDEST } // as many as there is room for, before one scrolls
}

/** How many tiles are seen whole before one scrolls. */
export function seatsOf({ columns, height }: Grid, total: number, gap = 8): number {
  return columns * Math.max(1, Math.floor((total + gap) / (height + gap)))
}

/**
 * The order in which people are shown: as they came, and whoever speaks beyond the first `seats` changes places with
 * the one among these who was silent longest. `spokeAt` counts up; the first seat, one's own, is never given away.
 */
export function seat(
  order: string[],
  speaker: string | null,
  seats: number,
  spokeAt: ReadonlyMap<string, number>,
): string[] {
  const from = speaker === null ? -1 : order.indexOf(speaker)
  if (from < seats || seats < 2) return order
  const silence = (key: string): number => spokeAt.get(key) ?? 0
  const leaver = order.slice(1, seats).reduceRight((a, b) => (silence(b) < silence(a) ? b : a))
  return order.map((key) => (key === leaver ? (speaker ?? key) : key === speaker ? leaver : key))
}

/** Where a tile stands in a grid of twice as many columns: an incomplete last row is centred. */
export function columnOf(index: number, count: number, columns: number): string {
  const rest = count % columns
  const startsLastRow = rest > 0 && index === count - rest
  return startsLastRow ? `${columns - rest + 1} / span 2` : 'span 2'
}

/** Who is large in the speaker layout: a shared screen, whom one chose, who speaks, or else who came first. */
export function mainTile(
  people: Tile[],
  screens: Tile[],
  chosen: string | null,
  lastSpeaker: string | null,
): Tile | undefined {
  const by = (matches: (tile: Tile) => boolean): Tile | undefined => [...screens, ...people].find(matches)
  return (
    by((tile) => tile.key === chosen) ??
    screens.find((tile) => !tile.self) ??
    screens[0] ??
    people.find((tile) => !tile.self && tile.peerId === lastSpeaker) ??
    people.find((tile) => !tile.self) ??
    people[0]
  )
}

/** Which of the sizes a simulcast camera sends is enough for a tile of that width on this screen. */
export function layerFor(width: number, pixelRatio: number): number {
  const pixels = width * Math.min(pixelRatio, 1.5)
  if (pixels <= 340) return 0
  return pixels <= 680 ? 1 : 2
}
