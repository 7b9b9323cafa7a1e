import { useI18n } from 'vue-i18n'

import { useTime } from '@/lib/useTime'
import type { RecordingDeletion } from '@/protocol/http/recordingShapes'

/** Who deleted a recording, when and why, in one sentence. */
export function useDeletionText(): (deletion: RecordingDeletion) => string {
  const { t } = useI18n()
  const time = useTime()
  return ({ cause, deletedByName, deletedAt, reason }) =>
    cause === 'person'
      ? t('recordings.storage.byPerson', {
          who: deletedByName ?? '',
          when: time.moment(deletedAt),
          reason,
        })
      : t('recordings.storage.byRules', { when: time.moment(deletedAt) })
}
