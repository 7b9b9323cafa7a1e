import { useRoom } from '../useRoom'

import { useProblemText } from '@/lib/problemText'
import type { ModerateAction } from '@/protocol/rooms/messages'
import { useToasts } from '@/stores/toasts'

/** A host's actions; what is refused is said. */
export function useModeration(): { moderate: (action: ModerateAction, peerId?: string) => Promise<void> } {
  const { session } = useRoom()
  const toasts = useToasts()
  const problemText = useProblemText()

  async function moderate(action: ModerateAction, peerId?: string): Promise<void> {
    try {
      await session.moderate(action, peerId)
    } catch (error) {
      toasts.show(problemText(error), 'problem')
    }
  }
  return { moderate }
}
