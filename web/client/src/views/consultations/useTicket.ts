import { onScopeDispose, ref, shallowRef, type Ref, type ShallowRef } from 'vue'

import { onWake } from '@/lib/onWake'
import { useAttempt } from '@/lib/useAttempt'
import type { Consultation } from '@/protocol/http/shapes'
import { asProblem } from '@/protocol/problem'
import { StationsClient } from '@/protocol/stations/client'
import { useApi } from '@/services'

const KEPT_KEY = 'huitang.ticket'

interface Kept {
  consultationId: string
  token: string
}

/** One tab, one ticket: a page that was reloaded goes on with it. */
function kept(): Kept | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT_KEY) ?? 'null') as Kept | null
  } catch {
    return null
  }
}

export interface TicketState {
  ticket: ShallowRef<Consultation | null>
  /** For the call, once the resident answered. */
  roomToken: Ref<string | null>
  connected: Ref<boolean>
  /** The expert was lost and the ticket is back at the head of the queue. */
  returned: Ref<boolean>
  busy: Ref<boolean>
  rated: Ref<boolean>
  problem: ShallowRef<unknown>
  take: (serviceId: string, displayName?: string, stationId?: string) => Promise<void>
  answer: () => Promise<void>
  leave: () => Promise<void>
  rate: (stars: number, comment: string) => Promise<void>
  /** Forget the ticket and begin anew. */
  clear: () => void
}

/** A resident's way from the ticket to the stars. */
export function useTicket(): TicketState {
  const api = useApi()
  const ticket = shallowRef<Consultation | null>(null)
  const roomToken = ref<string | null>(null)
  const connected = ref(true) // nothing is lost before it was there
  const returned = ref(false)
  const rated = ref(false)
  const { busy, problem, attempt } = useAttempt()
  let client: StationsClient | null = null
  let token = ''

  function show(consultation: Consultation): void {
    const before = ticket.value?.state
    returned.value =
      consultation.state === 'waiting' && (returned.value || before === 'called' || before === 'active')
    ticket.value = consultation
    rated.value = consultation.rating !== null
    if (consultation.state !== 'called' && consultation.state !== 'active') roomToken.value = null
  }

  function follow(consultationId: string, ticketToken: string): void {
    token = ticketToken
    client?.close()
    const following = new StationsClient({
      token: ticketToken,
      handlers: {
        ticket: ({ consultation }) => show(consultation),
        called: ({ consultation }) => show(consultation),
        consultationEnded: ({ consultation }) => show(consultation),
      },
      watch,
      onUnwatched: (refusal) => (problem.value = refusal),
      onDisconnected: () => (connected.value = false),
      onRefused: clear,
    })
    client = following

    async function watch(): Promise<void> {
      const { consultation } = await following
        .ask('watchTicket', { consultationId })
        .catch((error: unknown) => {
          if (asProblem(error).code === 'consultation_not_found') clear()
          throw error
        })
      connected.value = true
      problem.value = undefined
      show(consultation)
      if (consultation.state === 'active' && !roomToken.value) await answer() // the page was reloaded in the call
    }
  }

  const take = (serviceId: string, displayName?: string, stationId?: string): Promise<void> =>
    attempt(async () => {
      const taken = await api.takeTicket({
        serviceId,
        ...(displayName ? { displayName } : {}),
        ...(stationId ? { stationId } : {}),
      })
      show(taken)
      sessionStorage.setItem(KEPT_KEY, JSON.stringify({ consultationId: taken.id, token: taken.ticketToken }))
      follow(taken.id, taken.ticketToken)
    })

  const ofTicket = (
    action: (client: StationsClient, consultationId: string) => Promise<void>,
  ): Promise<void> =>
    attempt(async () => {
      if (client && ticket.value) await action(client, ticket.value.id)
    })

  const answer = (): Promise<void> =>
    ofTicket(async (stations, consultationId) => {
      roomToken.value = (await stations.ask('answer', { consultationId })).roomToken
    })

  const leave = (): Promise<void> =>
    ofTicket(async (stations, consultationId) => {
      await stations.ask('cancelTicket', { consultationId })
      clear()
    })

  const rate = (stars: number, comment: string): Promise<void> =>
    ofTicket(async (_, consultationId) => {
      await api.rate(consultationId, stars, comment, token)
      rated.value = true
    })

  function clear(): void {
    client?.close()
    client = null
    ticket.value = null
    roomToken.value = null
    rated.value = false
    returned.value = false
    problem.value = undefined
    sessionStorage.removeItem(KEPT_KEY)
  }

  const before = kept()
  if (before) follow(before.consultationId, before.token)
  onScopeDispose(onWake((networkBack) => client?.wake(networkBack)))
  onScopeDispose(() => client?.close())

  return { ticket, roomToken, connected, returned, busy, rated, problem, take, answer, leave, rate, clear }
}
