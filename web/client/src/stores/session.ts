import { defineStore } from 'pinia'
import { computed, ref } from 'vue'

import type { RoleName, Session } from '@/protocol/http/shapes'
import { Problem } from '@/protocol/problem'
import { useApi } from '@/services'

const OFFICES: RoleName[] = ['district_officer', 'committee_officer', 'secretary', 'branch_officer']

/** Who is signed in. `undefined` until the server was asked, `null` when nobody is. */
export const useSession = defineStore('session', () => {
  const api = useApi()
  const current = ref<Session | null>()

  const signedIn = computed(() => Boolean(current.value))
  const name = computed(() => current.value?.account.name ?? '')
  const level = computed(() => current.value?.level ?? 5)
  const holds = (...roles: RoleName[]): boolean =>
    current.value?.roles.some((held) => roles.includes(held.role)) ?? false
  /** Where one holds an office: the first of them, which pages begin with. */
  const office = computed(() => current.value?.roles.find(({ role }) => OFFICES.includes(role)) ?? null)
  const canSchedule = computed(() => office.value !== null)

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

  return { current, signedIn, name, level, holds, office, canSchedule, load, signIn, signOut, forget }
})
