import type { Captured } from '../room/media/capture'
import type { MediaProblem } from '../room/media/problems'

import type { Quality } from '@/protocol/connection-test/quality'
import { isDirect, WAYS, type Way } from '@/protocol/connection-test/ways'

/** `relay` says why no relay is tried; where one is, each way to it has a step of its own instead. */
export const STEPS = ['browser', 'secure', 'devices', 'server', ...WAYS, 'relay', 'quality'] as const
export type StepName = (typeof STEPS)[number]
/** `absent`: there is nothing to try, and nothing to say about it. */
export type StepState = 'waiting' | 'running' | 'good' | 'warn' | 'bad' | 'skipped' | 'absent'

export interface Step {
  state: StepState
  /** A key of `connectionTest.<step>`, with what it names; none while it waits or runs. */
  text?: string
  values?: Record<string, string | number>
}
export type Steps = Record<StepName, Step>

export const freshSteps = (): Steps =>
  Object.fromEntries(STEPS.map((name) => [name, { state: 'waiting' }])) as Steps

/** What was opened, and why not both: a browser may be allowed the one and not the other. */
export function devicesStep({ camera, microphone }: Captured, why: MediaProblem | null): Step {
  if (camera && microphone) return { state: 'good', text: 'good' }
  if (!camera && !microphone) return { state: 'bad', text: why ?? 'failed' }
  const lacking = microphone ? 'Camera' : 'Microphone'
  return { state: 'warn', text: why === 'denied' ? `denied${lacking}` : `no${lacking}` }
}

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
  const advice: string[] = []
  if (bad('browser')) return { state: 'bad', advice: ['browser'] }
  if (bad('secure')) advice.push('insecure')
  if (bad('server'))
    return { state: 'bad', advice: [...advice, steps.server.text === 'refused' ? 'refused' : 'server'] }
  const through = WAYS.filter((way) => steps[way].state === 'good')
  const about = wayAdvice(steps, through)
  if (about) advice.push(about)
  if (steps.server.state === 'warn') advice.push('polling')
  if (bad('devices')) advice.push('devices')
  advice.push(...found)
  if (advice.length === 0) return { state: 'good', advice: ['good'] }
  return { state: through.length === 0 || bad('secure') ? 'bad' : 'warn', advice }
}

function wayAdvice(steps: Steps, through: Way[]): string | null {
  if (through.includes('udp')) return null
  // Small packets pass and whole pictures do not: that is no closed port.
  if (steps.udp.text === 'noEcho') return through.length > 0 ? 'udpCut' : 'noEcho'
  if (through.length > 0) return through.some(isDirect) ? 'noUdp' : 'relayOnly'
  if (WAYS.some((way) => steps[way].text === 'noEcho')) return 'noEcho'
  return WAYS.some((way) => steps[way].state === 'bad') ? 'noMedia' : 'interrupted'
}
