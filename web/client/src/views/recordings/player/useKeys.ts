import { commandOf, speedBeside } from './commands'
import type { Player } from './usePlayer'

/** What keys do beside the player's own commands. */
interface KeyActions {
  duration: () => number
  fullscreen: () => void
  captions: () => void
  help: () => void
  /** Something lies over the player, and has the keys. */
  covered: () => boolean
}

/** The handler of keys pressed anywhere in the player; what somebody types or chooses is left to its field. */
export function useKeys(player: Player, actions: KeyActions): (event: KeyboardEvent) => void {
  return (event) => {
    const target = event.target as HTMLElement
    const command = commandOf(event)
    if (!command || actions.covered() || target.matches('select, textarea, input:not([type=range])')) return
    if (event.key === ' ' && target.matches('button')) return // presses the button
    if (event.key.startsWith('Arrow') && target.matches('.volume')) return
    event.preventDefault()
    switch (command.name) {
      case 'toggle': {
        player.toggle()
        return
      }
      case 'seekBy': {
        player.seek(player.at.value + command.by)
        return
      }
      case 'seekTo': {
        player.seek(actions.duration() * command.share)
        return
      }
      case 'louder': {
        player.setVolume(player.volume.value + command.by)
        return
      }
      case 'faster': {
        player.setSpeed(speedBeside(player.speed.value, command.by))
        return
      }
      case 'mute': {
        player.mute()
        return
      }
      case 'fullscreen': {
        actions.fullscreen()
        return
      }
      case 'captions': {
        actions.captions()
        return
      }
      case 'help':
        actions.help()
    }
  }
}
