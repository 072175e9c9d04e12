// Loaded into every process that the supervisor starts: when the supervisor dies, the channel closes and the process ends in order.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
