import { computed, ref, watch, type ComputedRef } from 'vue'

import type { RoomState } from '@/protocol/rooms/state'

export type CompanionNews = 'awaited' | 'left' | 'lost' | 'reconnecting'

/** In a consultation: that the other side is not there, and why. While one's own line is away nothing new is known. */
export function useCompanion(state: RoomState): ComputedRef<CompanionNews | null> {
  const companion = computed(() => state.peers[0])
  const gone = ref<'awaited' | 'left' | 'lost'>('awaited')
  watch(companion, (now, before) => {
    if (!now && before) gone.value = before.reconnecting ? 'lost' : 'left'
  })
  return computed(() => {
    if (!state.connected) return null
    if (!companion.value) return gone.value
    return companion.value.reconnecting ? 'reconnecting' : null
  })
}
