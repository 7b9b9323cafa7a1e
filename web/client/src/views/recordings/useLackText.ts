import { useI18n } from 'vue-i18n'

import type { Lack } from '@/protocol/http/recordingShapes'

/** Whose picture or sound a film lacks, in words. */
export function useLackText(): (lack: Lack) => string {
  const i18n = useI18n()
  const { t } = i18n
  return ({ name, apart, kind }) => {
    const key = `recordings.lacks.kinds.${kind}`
    const whose = apart ? t('recordings.lacks.apart', { name, apart }) : name
    return t(i18n.te(key) ? key : 'recordings.lacks.kinds.other', {
      name: whose || t('recordings.lacks.somebody'),
    })
  }
}
