import { computed, onBeforeUnmount, ref, type ComputedRef, type ShallowRef } from 'vue'

import { useLoad } from '@/lib/useLoad'
import type { Notice } from '@/protocol/http/shapes'
import { useApi } from '@/services'
import { readStored, writeStored } from '@/stores/preferences'

const REFRESH_MS = 60_000
const SEEN_KEY = 'huitang.notices.seen'

interface Notices {
  notices: ComputedRef<Notice[]>
  problem: ShallowRef<unknown>
  /** Those that are newer than what was looked at in this browser. */
  fresh: ComputedRef<number>
  /** They were looked at. */
  seen: () => void
}

/** What waits for the person signed in, looked at again every minute while the page is in front. */
export function useNotices(account: () => string): Notices {
  const api = useApi()
  const key = `${SEEN_KEY}.${account()}`
  const { data, problem, reload } = useLoad(() => api.notices())
  const notices = computed(() => data.value?.items ?? [])
  const until = ref(readStored(key) ?? '')

  const timer = setInterval(() => {
    if (!document.hidden) void reload()
  }, REFRESH_MS)
  onBeforeUnmount(() => clearInterval(timer))

  return {
    notices,
    problem,
    fresh: computed(() => notices.value.filter(({ at }) => at > until.value).length),
    seen() {
      until.value = notices.value.reduce((last, { at }) => (at > last ? at : last), until.value)
      writeStored(key, until.value)
    },
  }
}
