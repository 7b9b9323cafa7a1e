import { useI18n } from 'vue-i18n'

import { asProblem } from '@/protocol/problem'

/** What a person reads about something that went wrong: our text for the code, else the server's, else a general one. */
export function useProblemText(): (error: unknown) => string {
  const i18n = useI18n()
  return (error) => {
    const problem = asProblem(error)
    const { details } = problem
    const values = { ...details, requestId: details.requestId ?? details.reference }
    for (const namespace of ['problems', 'errors']) {
      const key = `${namespace}.${problem.code}`
      if (i18n.te(key)) return i18n.t(key, values)
    }
    if (problem.message && problem.message !== problem.code) return problem.message
    return i18n.t('problems.general', { code: problem.code })
  }
}
