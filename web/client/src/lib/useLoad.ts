import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'

interface Load<T> {
  data: ShallowRef<T | undefined>
  problem: ShallowRef<unknown>
  loading: Ref<boolean>
  /** Asks again; what was shown stays until the new answer is there. */
  reload: () => Promise<void>
}

/** One thing a page shows, asked for at once: waiting, failed with a way to try again, or there. */
export function useLoad<T>(ask: () => Promise<T>): Load<T> {
  const data = shallowRef<T>()
  const problem = shallowRef<unknown>()
  const loading = ref(false)
  let latest = 0

  async function reload(): Promise<void> {
    const turn = ++latest
    loading.value = true
    try {
      const answer = await ask()
      if (turn !== latest) return
      data.value = answer
      problem.value = undefined
    } catch (error) {
      if (turn === latest) problem.value = error
    } finally {
      if (turn === latest) loading.value = false
    }
  }

  void reload()
  return { data, problem, loading, reload }
}
