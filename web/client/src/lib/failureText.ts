import { useI18n } from 'vue-i18n'

/** Why a recording is broken, with what to do about it, also where the server has a reason this page does not know. */
export function useFailureText(): (reason: string | null | undefined, uploaded?: boolean) => string {
  const i18n = useI18n()
  return (reason, uploaded = false) => {
    const keys = ['recordings.uploadFailures', 'recordings.failures'].map(
      (texts) => `${texts}.${reason ?? ''}`,
    )
    const known = keys.slice(uploaded ? 0 : 1).find((key) => i18n.te(key))
    return i18n.t(known ?? 'recordings.failedUnknown')
  }
}
