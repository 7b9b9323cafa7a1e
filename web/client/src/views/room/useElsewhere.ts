import { onScopeDispose, readonly, ref, type Ref } from 'vue'

/** Soon enough for somebody who closes the other window and comes back to this one. */
const GLANCE_MS = 1500

const lockName = (roomId: string): string => `huitang-room-${roomId}`
/** Pages without https have no locks, and then nothing is known. */
const locks = (): LockManager | null => ('locks' in navigator ? navigator.locks : null)

/** Tells this browser's other windows that this one is in the room, as long as the component lives. */
export function useBeingHere(roomId: string): void {
  const over = new Promise<void>((done) => onScopeDispose(done))
  void locks()?.request(lockName(roomId), { mode: 'shared' }, () => over)
}

/** Whether another window of this browser is in the room: two loudspeakers and microphones in one place howl. */
export function useElsewhere(roomId: string): Readonly<Ref<boolean>> {
  const elsewhere = ref(false)
  async function look(): Promise<void> {
    const { held = [] } = (await locks()?.query()) ?? {}
    elsewhere.value = held.some((lock) => lock.name === lockName(roomId))
  }
  void look()
  const timer = setInterval(() => void look(), GLANCE_MS)
  onScopeDispose(() => clearInterval(timer))
  return readonly(elsewhere)
}
