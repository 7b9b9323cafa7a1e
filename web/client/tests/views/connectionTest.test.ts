import { FakeMediaStreamTrack } from 'fake-mediastreamtrack'
import { describe, expect, it } from 'vitest'

import { measured, type Counts } from '@/protocol/connection-test/quality'
import { relayWay, serversOf } from '@/protocol/connection-test/ways'
import {
  devicesStep,
  freshSteps,
  STEPS,
  troubles,
  verdict,
  type StepName,
  type Steps,
} from '@/views/connection-test/steps'

const fine = {
  frames: 100,
  roundTripMs: 40,
  jitterMs: 5,
  lossUp: 0,
  lossDown: 0,
  upKbps: 2000,
  downKbps: 2000,
}

function after(changes: Partial<Record<StepName, Steps[StepName]['state']>>): Steps {
  const steps = freshSteps()
  for (const name of STEPS)
    steps[name].state = changes[name] ?? (name.startsWith('relay') ? 'absent' : 'good')
  return steps
}

describe('the verdict', () => {
  it.each([
    [{}, 'good', ['good']],
    [{ browser: 'bad' }, 'bad', ['browser']],
    [{ secure: 'bad', devices: 'bad' }, 'bad', ['insecure', 'devices']],
    [{ server: 'bad' }, 'bad', ['server']],
    [{ server: 'warn' }, 'warn', ['polling']],
    [{ udp: 'bad' }, 'warn', ['noUdp']],
    [{ udp: 'bad', tcp: 'bad', relayTls: 'good' }, 'warn', ['relayOnly']],
    [{ udp: 'bad', tcp: 'bad', relayUdp: 'bad' }, 'bad', ['noMedia']],
    [{ udp: 'skipped', tcp: 'skipped', quality: 'skipped' }, 'bad', ['interrupted']],
    [{ relayUdp: 'good', relayTcp: 'bad', relayTls: 'bad' }, 'good', ['good']],
    [{ devices: 'bad' }, 'warn', ['devices']],
    [{ tcp: 'bad' }, 'good', ['good']],
  ] as const)('of %o is %s with %o', (changes, state, advice) => {
    expect(verdict(after(changes), [])).toEqual({ state, advice })
  })

  it.each([
    [{ udp: 'bad' }, 'warn', ['udpCut']],
    [{ udp: 'bad', tcp: 'bad' }, 'bad', ['noEcho']],
  ] as const)('of %o, where UDP opens and nothing comes back, is %s with %o', (changes, state, advice) => {
    const steps = after(changes)
    steps.udp.text = 'noEcho'
    expect(verdict(steps, [])).toEqual({ state, advice })
  })

  it('tells a server that refuses from one that is not reached', () => {
    const steps = after({ server: 'bad' })
    steps.server.text = 'refused'
    expect(verdict(steps, []).advice).toEqual(['refused'])
  })

  it('names what the line lacks', () => {
    expect(verdict(after({}), troubles({ ...fine, lossDown: 0.1, downKbps: 100 }))).toEqual({
      state: 'warn',
      advice: ['lossy', 'slow'],
    })
    expect(troubles({ ...fine, roundTripMs: 900, jitterMs: 200 })).toEqual(['far', 'jittery'])
  })
})

describe('the devices', () => {
  const one = new FakeMediaStreamTrack({ kind: 'video' })

  it.each([
    [{ camera: one, microphone: one }, null, 'good', 'good'],
    [{ microphone: one }, 'missing', 'warn', 'noCamera'],
    [{ microphone: one }, 'denied', 'warn', 'deniedCamera'],
    [{ camera: one }, 'busy', 'warn', 'noMicrophone'],
    [{ camera: one }, 'denied', 'warn', 'deniedMicrophone'],
    [{}, 'denied', 'bad', 'denied'],
  ] as const)('%o, since it was %s, are %s: %s', (devices, why, state, text) => {
    expect(devicesStep(devices, why)).toEqual({ state, text })
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
    framesReceived: 2,
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
      framesReceived: 42,
      lostDown: 10,
      jitter: 0.012,
      roundTrip: 0.08,
    }
    expect(measured(first, last)).toEqual({
      frames: 40,
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

describe('the ways to a relay', () => {
  it.each([
    ['turn:turn.example.org:3478', 'relayUdp'],
    ['turn:turn.example.org:3478?transport=udp', 'relayUdp'],
    ['TURN:[2001:db8::1]:3478?transport=TCP', 'relayTcp'],
    ['turns:turn.example.org:443?transport=tcp', 'relayTls'],
    ['turns:turn.example.org', 'relayTls'],
    ['turns:turn.example.org?transport=udp', null],
    ['stun:turn.example.org', null],
    ['', null],
  ])('of %s is %s', (url, way) => expect(relayWay(url)).toBe(way))

  it('each get their own URLs, with the credentials', () => {
    const all = [
      { urls: ['turn:a', 'turn:a?transport=tcp'], username: 'u', credential: 'c' },
      { urls: 'stun:b' },
    ]
    expect(serversOf('relayTcp', all)).toEqual([
      { urls: ['turn:a?transport=tcp'], username: 'u', credential: 'c' },
    ])
    expect(serversOf('udp', all)).toEqual([])
  })
})
