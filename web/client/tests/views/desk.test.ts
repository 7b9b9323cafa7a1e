import { expect, test } from 'vitest'

import type { Consultation, ConsultationState } from '@/protocol/http/shapes'
import { inHand } from '@/views/consultations/useDesk'

const consultation = (state: ConsultationState, outcome: string | null): Consultation => ({
  id: 'one',
  state,
  outcome,
  number: 1,
  position: null,
  expectedWaitSeconds: null,
  service: { id: 'doctor', kind: 'medical', name: '健康咨询', expertsOnDuty: 1, waiting: 0 },
  stationId: null,
  expert: { name: '林仁心' },
  createdAt: '2026-11-27T08:00:00Z',
  startedAt: null,
  endedAt: null,
  endReason: null,
  rating: null,
  roomToken: null,
})

const ROWS: [ConsultationState, string | null, boolean][] = [
  ['called', null, true],
  ['active', null, true],
  ['ended', null, true], // the resident has gone while the expert writes
  ['ended', '多喝水', false],
  ['missed', null, false],
  ['cancelled', null, false],
  ['waiting', null, false],
]
test.each(ROWS)(
  'a consultation that is %s with the outcome %s is in hand: %s',
  (state, outcome, expected) => {
    expect(inHand(consultation(state, outcome))).toBe(expected)
  },
)
