import { describe, expect, it } from 'vitest'

import { measured, type Counts } from '@/protocol/connection-test/quality'
import {
  freshSteps,
  STEPS,
  troubles,
  verdict,
  type StepName,
  type Steps,
} from '@/views/connection-test/steps'

const fine = { roundTripMs: 40, jitterMs: 5, lossUp: 0, lossDown: 0, upKbps: 2000, downKbps: 2000 }

function after(changes: Partial<Record<StepName, Steps[StepName]['state']>>): Steps {
  const steps = freshSteps()
  for (const name of STEPS) steps[name].state = changes[name] ?? (name === 'relay' ? 'skipped' : 'good')
  return steps
}

describe('the verdict', () => {
  it.each([
    [{}, 'good', ['good']],
    [{ browser: 'bad' }, 'bad', ['browser']],
    [{ secure: 'bad', devices: 'bad' }, 'bad', ['insecure', 'devices']],
    [{ server: 'bad' }, 'bad', ['server']],
    [{ udp: 'bad' }, 'warn', ['noUdp']],
    [{ udp: 'bad', tcp: 'bad', relay: 'good' }, 'warn', ['relayOnly']],
    [{ udp: 'bad', tcp: 'bad', relay: 'bad' }, 'bad', ['noMedia']],
    [{ devices: 'bad' }, 'warn', ['devices']],
    [{ tcp: 'bad' }, 'good', ['good']],
  ] as const)('of %o is %s with %o', (changes, state, advice) => {
    expect(verdict(after(changes), [])).toEqual({ state, advice })
  })

  it('names what the line lacks', () => {
    expect(verdict(after({}), troubles({ ...fine, lossDown: 0.1, downKbps: 100 }))).toEqual({
      state: 'warn',
      advice: ['lossy', 'slow'],
    })
    expect(troubles({ ...fine, roundTripMs: 900, jitterMs: 200 })).toEqual(['far', 'jittery'])
  })
})

describe('the measurement', () => {
  const first: Counts = {
    at: 1000,
    packetsSent: 10,
    bytesSent: 1000,
    lostUp: 0,
    packetsReceived: 10,
    bytesReceived: 1000,
    lostDown: 0,
    jitter: 0,
    roundTrip: 0,
  }

  it('counts what happened between two readings', () => {
    const last = {
      ...first,
      at: 3000,
      packetsSent: 210,
      bytesSent: 251_000,
      lostUp: 20,
      packetsReceived: 100,
      bytesReceived: 101_000,
      lostDown: 10,
      jitter: 0.012,
      roundTrip: 0.08,
    }
    expect(measured(first, last)).toEqual({
      roundTripMs: 80,
      jitterMs: 12,
      lossUp: 0.1,
      lossDown: 0.1,
      upKbps: 1000,
      downKbps: 400,
    })
  })

  it('says that everything is lost where nothing comes back', () => {
    expect(measured(first, { ...first, at: 2000, packetsSent: 100 }).lossDown).toBe(1)
  })
})
