import { useI18n } from 'vue-i18n'

/** Why a recording is broken, with what to do about it, also where the server has a reason this page does not know. */
export function useFailureText(): (reason: string | null | undefined) => string {
  const i18n = useI18n()
  return (reason) => {
    const key = `recordings.failures.${reason ?? ''}`
    return i18n.t(i18n.te(key) ? key : 'recordings.failedUnknown')
  }
}
