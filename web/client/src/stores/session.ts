import { defineStore } from 'pinia'
import { computed, ref } from 'vue'

import type { RoleName, Session } from '@/protocol/http/shapes'
import { Problem } from '@/protocol/problem'
import { useApi } from '@/services'

/** Who is signed in. `undefined` until the server was asked, `null` when nobody is. */
export const useSession = defineStore('session', () => {
  const api = useApi()
  const current = ref<Session | null>()

  const signedIn = computed(() => Boolean(current.value))
  const name = computed(() => current.value?.account.name ?? '')
  const level = computed(() => current.value?.level ?? 5)
  const holds = (...roles: RoleName[]): boolean =>
    current.value?.roles.some((held) => roles.includes(held.role)) ?? false
  const canSchedule = computed(() =>
    holds('secretary', 'branch_officer', 'committee_officer', 'district_officer'),
  )

  /** Asks once; a network failure is thrown, being signed out is an answer. */
  async function load(): Promise<void> {
    if (current.value !== undefined) return
    try {
      current.value = await api.session()
    } catch (error) {
      if (!(error instanceof Problem && error.status === 401)) throw error
      current.value = null
    }
  }

  async function signIn(username: string, password: string): Promise<void> {
    current.value = await api.signIn(username, password)
  }

  async function signOut(): Promise<void> {
    await api.signOut()
    current.value = null
  }

  const forget = (): void => void (current.value = null)

  return { current, signedIn, name, level, holds, canSchedule, load, signIn, signOut, forget }
})
