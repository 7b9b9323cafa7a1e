import { computed, type ComputedRef } from 'vue'

import { useRoom } from '../useRoom'

/** What of one's own line is gone: all of it, or the way of sound and pictures, both ways or one. */
export type LineLoss = 'line' | 'both' | 'send' | 'recv'

export function useLineLoss(): ComputedRef<LineLoss | null> {
  const { state } = useRoom()
  return computed(() => {
    if (!state.connected) return 'line'
    const { send, recv } = state.flows
    // Of a path that ended at the server alone the browser does not know.
    if ((!send && !recv) || state.network?.troubles.includes('noPath')) return 'both'
    if (!send) return 'send'
    return recv ? null : 'recv'
  })
}
