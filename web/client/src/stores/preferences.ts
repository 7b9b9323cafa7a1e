import { defineStore } from 'pinia'
import { ref, watch } from 'vue'

import { isLocale, setLocale, type Locale } from '@/i18n'

const LOCALE_KEY = 'huitang.locale'
const LARGE_TYPE_KEY = 'huitang.largeType'

/** Private browsing may refuse storage; a preference that is not kept is no reason to fail. */
export function readStored(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

export function writeStored(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // see readStored
  }
}

/** What a person chose for this browser: the language and the large type (适老化). */
export const usePreferences = defineStore('preferences', () => {
  const stored = readStored(LOCALE_KEY)
  const locale = ref<Locale>(isLocale(stored) ? stored : 'zh-CN')
  const chosen = ref(isLocale(stored))
  const largeType = ref(readStored(LARGE_TYPE_KEY) === 'yes')

  watch(
    largeType,
    (large) => {
      document.documentElement.dataset.type = large ? 'large' : 'normal'
      writeStored(LARGE_TYPE_KEY, large ? 'yes' : 'no')
    },
    { immediate: true },
  )

  async function useLocale(next: Locale): Promise<void> {
    await setLocale(next)
    locale.value = next
    chosen.value = true
    writeStored(LOCALE_KEY, next)
  }

  return { locale, chosen, largeType, useLocale }
})
