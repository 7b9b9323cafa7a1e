import { computed, shallowRef, watch, type ComputedRef } from 'vue'

import { seat } from './arrange'
import type { Tile } from './tiles'

/** People in an order in which whoever speaks is seen without scrolling; nobody else moves. */
export function useSeats(
  tiles: () => Tile[],
  speaker: () => string | null,
  seats: () => number,
): ComputedRef<Tile[]> {
  const order = shallowRef<string[]>([])
  const spokeAt = new Map<string, number>()
  let turns = 0

  watch(
    [tiles, speaker, seats] as const,
    ([now, peerId, count]) => {
      const keys = now.map(({ key }) => key)
      const kept = order.value.filter((key) => keys.includes(key))
      const all = [...kept, ...keys.filter((key) => !kept.includes(key))]
      const key = now.find((tile) => tile.peerId === peerId && tile.source === 'camera')?.key ?? null
      if (key !== null) spokeAt.set(key, ++turns)
      order.value = seat(all, key, count, spokeAt)
    },
    { immediate: true },
  )
  return computed(() => {
    const byKey = new Map(tiles().map((tile) => [tile.key, tile]))
    return order.value.flatMap((key) => byKey.get(key) ?? [])
  })
}
