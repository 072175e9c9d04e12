export const CONSOLE_DOOR = Symbol('CONSOLE_DOOR');
