import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'

interface Attempt {
  busy: Ref<boolean>
  /** What went wrong the last time. */
  problem: ShallowRef<unknown>
  /** Does what a person asked for; undefined where it failed, and `problem` says why. */
  attempt: <T>(action: () => Promise<T>) => Promise<T | undefined>
}

/** What buttons do: busy while it lasts, the problem shown where it fails. */
export function useAttempt(): Attempt {
  const busy = ref(false)
  const problem = shallowRef<unknown>()

  async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
    busy.value = true
    problem.value = undefined
    try {
      return await action()
    } catch (error) {
      problem.value = error
      return undefined
    } finally {
      busy.value = false
    }
  }

  return { busy, problem, attempt }
}
