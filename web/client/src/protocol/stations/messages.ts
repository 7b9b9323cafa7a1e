import type { Consultation } from '../http/shapes'

/** The namespace /stations, as docs/protocol.md has it. */

export interface QueueTicket {
  consultationId: string
  number: number
  serviceId: string
  displayName: string
  waitingSince: string
}

export interface Duty {
  onDuty: boolean
  serviceIds: string[]
}

/** What an expert's desk shows when it is opened. */
export interface Desk {
  tickets: QueueTicket[]
  duty: Duty & { mayServe: string[] }
  consultation: Consultation | null
  roomToken: string | null
}

/** Client event → what goes out and what comes back. */
export interface StationCalls {
  watchTicket: [{ consultationId: string }, { consultation: Consultation }]
  cancelTicket: [{ consultationId: string }, { consultation: Consultation }]
  answer: [{ consultationId: string }, { roomToken: string }]
  setDuty: [Duty, Duty]
  watchQueue: [Record<string, never>, Desk]
  callNext: [{ serviceId?: string }, { consultation: Consultation | null; roomToken: string | null }]
  callAgain: [{ consultationId: string }, { consultation: Consultation }]
  missed: [{ consultationId: string }, { consultation: Consultation }]
  finish: [{ consultationId: string; outcome: string }, { consultation: Consultation }]
}

/** Server event → payload. */
export interface StationEvents {
  ticket: { consultation: Consultation }
  queue: { tickets: QueueTicket[] }
  called: { consultation: Consultation; roomToken: string }
  consultationEnded: { consultation: Consultation }
  serverDraining: { reconnectAfterMs: number }
}
