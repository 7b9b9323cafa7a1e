import { onScopeDispose, ref, shallowRef, type Ref, type ShallowRef } from 'vue'

import { outcomeDraft } from './draft'

import { onWake } from '@/lib/onWake'
import { useAttempt } from '@/lib/useAttempt'
import type { Consultation } from '@/protocol/http/shapes'
import type { Problem } from '@/protocol/problem'
import { StationsClient } from '@/protocol/stations/client'
import type { Desk, Duty, QueueTicket } from '@/protocol/stations/messages'

export interface DeskState {
  duty: ShallowRef<Desk['duty'] | undefined>
  tickets: ShallowRef<QueueTicket[]>
  /** What this expert has in hand: called, talking, or over and to be written up. */
  current: ShallowRef<Consultation | null>
  roomToken: Ref<string | null>
  /** What was taken out of hand last, by the resident or by time. */
  lost: ShallowRef<Consultation | null>
  connected: Ref<boolean>
  busy: Ref<boolean>
  problem: ShallowRef<unknown>
  setDuty: (duty: Duty) => Promise<void>
  /** Calls the first of the queue, if anybody waits still. */
  callNext: () => Promise<void>
  callAgain: () => Promise<void>
  missed: () => Promise<void>
  finish: (outcome: string) => Promise<void>
  /** Leaves what is over without a note, until the desk is opened anew. */
  letGo: () => void
}

const talking = ({ state }: Consultation): boolean => state === 'called' || state === 'active'

/** A resident who goes ends the talk; the note that the expert is writing must outlive that. */
export const inHand = (consultation: Consultation): boolean =>
  talking(consultation) || (consultation.state === 'ended' && consultation.outcome === null)

/** An expert's desk: duty, the queue, and the one consultation in hand. */
export function useDesk(): DeskState {
  const duty = shallowRef<Desk['duty']>()
  const tickets = shallowRef<QueueTicket[]>([])
  const current = shallowRef<Consultation | null>(null)
  const lost = shallowRef<Consultation | null>(null)
  const roomToken = ref<string | null>(null)
  const connected = ref(false)
  const { busy, problem, attempt } = useAttempt()

  const client = new StationsClient({
    handlers: {
      queue: (news) => (tickets.value = news.tickets),
      ticket: ({ consultation }) => take(consultation),
      consultationEnded: ({ consultation }) => take(consultation),
    },
    watch,
    onUnwatched: refused,
    onDisconnected: () => (connected.value = false),
    onRefused: refused,
  })
  onScopeDispose(onWake((networkBack) => client.wake(networkBack)))
  onScopeDispose(() => client.close())

  function refused(refusal: Problem): void {
    problem.value = refusal
  }

  async function watch(): Promise<void> {
    const desk = await client.ask('watchQueue', {})
    connected.value = true
    problem.value = undefined
    duty.value = desk.duty
    tickets.value = desk.tickets
    if (current.value && talking(current.value) && desk.consultation?.id !== current.value.id)
      lost.value = current.value
    current.value = desk.consultation
    roomToken.value = desk.roomToken
  }

  /** News of the consultation in hand; one that is in nobody's hands any more leaves the desk free. */
  function take(consultation: Consultation): void {
    if (consultation.id !== current.value?.id) return
    current.value = inHand(consultation) ? consultation : null
    lost.value = current.value || consultation.state === 'ended' ? null : consultation
    if (!talking(consultation)) roomToken.value = null
  }

  async function setDuty(wanted: Duty): Promise<void> {
    await attempt(async () => {
      const mayServe = duty.value?.mayServe ?? []
      duty.value = { ...(await client.ask('setDuty', wanted)), mayServe }
    })
  }

  async function callNext(): Promise<void> {
    const called = await attempt(() => client.ask('callNext', {}))
    if (!called?.consultation) return
    lost.value = null
    current.value = called.consultation
    roomToken.value = called.roomToken
  }

  async function withCurrent(event: 'callAgain' | 'missed'): Promise<void> {
    await attempt(async () => {
      if (current.value) take((await client.ask(event, { consultationId: current.value.id })).consultation)
    })
  }

  async function finish(outcome: string): Promise<void> {
    await attempt(async () => {
      if (!current.value) return
      const { consultation } = await client.ask('finish', { consultationId: current.value.id, outcome })
      outcomeDraft.drop(consultation.id)
      take(consultation)
    })
  }

  return {
    duty,
    tickets,
    current,
    roomToken,
    lost,
    connected,
    busy,
    problem,
    setDuty,
    callNext,
    callAgain: () => withCurrent('callAgain'),
    missed: () => withCurrent('missed'),
    finish,
    letGo: () => void (current.value = null),
  }
}
