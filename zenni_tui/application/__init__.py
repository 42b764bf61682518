"""The booking application beside the databases: its Prisma project, its settings, its hooks; never its rows."""
