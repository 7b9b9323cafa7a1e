/** What a key does while the player has the attention. */
export type Command =
  | { name: 'toggle' | 'fullscreen' | 'mute' | 'captions' | 'help' }
  | { name: 'seekBy' | 'louder' | 'faster'; by: number }
  | { name: 'seekTo'; share: number }

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2]
const STEP_SECONDS = 10
const LOUDER = 0.1

const commands: Record<string, Command> = {
  ' ': { name: 'toggle' },
  k: { name: 'toggle' },
  ArrowLeft: { name: 'seekBy', by: -STEP_SECONDS },
  ArrowRight: { name: 'seekBy', by: STEP_SECONDS },
  ArrowUp: { name: 'louder', by: LOUDER },
  ArrowDown: { name: 'louder', by: -LOUDER },
  f: { name: 'fullscreen' },
  m: { name: 'mute' },
  c: { name: 'captions' },
  '<': { name: 'faster', by: -1 },
  '>': { name: 'faster', by: 1 },
  ',': { name: 'faster', by: -1 },
  '.': { name: 'faster', by: 1 },
  '?': { name: 'help' },
}

/** The command of a key, or nothing: a key held with Ctrl, Alt or Meta is the browser's own. */
export function commandOf(
  event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'altKey' | 'metaKey'>,
): Command | null {
  if (event.ctrlKey || event.altKey || event.metaKey) return null
  if (/^[0-9]$/.test(event.key)) return { name: 'seekTo', share: Number(event.key) / 10 }
  return commands[event.key.length === 1 ? event.key.toLowerCase() : event.key] ?? null
}

/** The speed so many steps faster, of those there are. */
export function speedBeside(speed: number, steps: number): number {
  const nearest = SPEEDS.reduce((best, one) => (Math.abs(one - speed) < Math.abs(best - speed) ? one : best))
  const at = Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(nearest) + steps))
  return SPEEDS[at] ?? 1
}
