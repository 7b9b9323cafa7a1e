/** Why a camera, a microphone or a screen is not there, each with its own advice in locales room.media.*. */
export type MediaProblem =
  | 'insecure' // the page is not on https or localhost: browsers hide the devices
  | 'unsupported'
  | 'denied'
  | 'missing'
  | 'busy' // another program has it
  | 'lost' // it was pulled out
  | 'failed'

const NAMES: Record<string, MediaProblem> = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
  NotReadableError: 'busy',
  AbortError: 'busy',
}

export function mediaProblem(error: unknown): MediaProblem {
  return (error instanceof Error ? NAMES[error.name] : undefined) ?? 'failed'
}

/** What is wrong before anything was asked. */
export function environmentProblem(): MediaProblem | null {
  if (!window.isSecureContext) return 'insecure'
  return 'mediaDevices' in navigator && 'RTCPeerConnection' in window ? null : 'unsupported'
}
