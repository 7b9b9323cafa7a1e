import type { Quality } from '@/protocol/connection-test/quality'

export const STEPS = ['browser', 'secure', 'devices', 'server', 'udp', 'tcp', 'relay', 'quality'] as const
export type StepName = (typeof STEPS)[number]
export type StepState = 'waiting' | 'running' | 'good' | 'warn' | 'bad' | 'skipped'

export interface Step {
  state: StepState
  /** A key of `connectionTest.<step>`, with what it names; none while it waits or runs. */
  text?: string
  values?: Record<string, string | number>
}
export type Steps = Record<StepName, Step>

export const freshSteps = (): Steps =>
  Object.fromEntries(STEPS.map((name) => [name, { state: 'waiting' }])) as Steps

/** From here on talking is hard: ITU-T G.114 calls more than 400 ms unacceptable, and it is there and back. */
const FAR_MS = 500
const LOSSY = 0.05
/** A voice and a small picture. */
const SLOW_KBPS = 400
const JITTERY_MS = 80

export type Trouble = 'lossy' | 'far' | 'slow' | 'jittery'

export function troubles(quality: Quality): Trouble[] {
  const found: Trouble[] = []
  if (quality.lossUp > LOSSY || quality.lossDown > LOSSY) found.push('lossy')
  if (quality.roundTripMs > FAR_MS) found.push('far')
  if (Math.min(quality.upKbps, quality.downKbps) < SLOW_KBPS) found.push('slow')
  if (quality.jitterMs > JITTERY_MS) found.push('jittery')
  return found
}

export interface Verdict {
  state: 'good' | 'warn' | 'bad'
  /** Keys of `connectionTest.verdict`, the weightiest first. */
  advice: string[]
}

/** What to tell the person, and what to ask of the administrator. */
export function verdict(steps: Steps, found: Trouble[]): Verdict {
  const bad = (name: StepName): boolean => steps[name].state === 'bad'
  const good = (name: StepName): boolean => steps[name].state === 'good' || steps[name].state === 'warn'
  const advice: string[] = []
  if (bad('browser')) return { state: 'bad', advice: ['browser'] }
  if (bad('secure')) advice.push('insecure')
  if (bad('server')) return { state: 'bad', advice: [...advice, 'server'] }
  const through = (['udp', 'tcp', 'relay'] as const).filter(good)
  if (through.length === 0) advice.push('noMedia')
  else if (!through.includes('udp')) advice.push(through.includes('tcp') ? 'noUdp' : 'relayOnly')
  if (bad('devices')) advice.push('devices')
  advice.push(...found)
  if (advice.length === 0) return { state: 'good', advice: ['good'] }
  return { state: through.length === 0 || bad('secure') ? 'bad' : 'warn', advice }
}
