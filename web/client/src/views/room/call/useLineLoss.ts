import { computed, type ComputedRef } from 'vue'

import { useRoom } from '../useRoom'

/** What of one's own line is gone: all of it, or the way of sound and pictures, both ways or one. */
export type LineLoss = 'line' | 'both' | 'send' | 'recv'

export function useLineLoss(): ComputedRef<LineLoss | null> {
  const { state } = useRoom()
  return computed(() => {
    if (!state.connected) return 'line'
    // Of a path that ended at the server alone the browser does not know.
    const told = state.network?.troubles.includes('noPath') ? state.network : null
    const [mute, deaf] = [!state.flows.send || told?.up === 0, !state.flows.recv || told?.down === 0]
    if (mute) return deaf ? 'both' : 'send'
    return deaf ? 'recv' : null
  })
}
