export const CONSOLE_DOOR = Symbol('CONSOLE_DOOR');
export const LOG_KEYS_FILE = Symbol('LOG_KEYS_FILE');
export const BUNDLE_FILES = Symbol('BUNDLE_FILES');
